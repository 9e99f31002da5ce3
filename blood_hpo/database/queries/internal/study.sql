-- One study
-- Its data set with checksum, its state, and how its trials are trained and scored.
SELECT
    study, description, data_label AS label, data_sha256 AS sha256, synthetic, objective, folds,
    epochs, data_fraction, seed, sampler, pruner, budget, counted, running, paused, program_version,
    fingerprint
FROM hpo.studies
WHERE study = :study
