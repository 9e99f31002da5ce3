-- One study
-- Its stage, its data set with checksum, its state, and how its trials are trained and scored.
SELECT
    study, stage, search, description, data_label AS label, data_sha256 AS sha256, synthetic,
    objective, folds, most_epochs, data_fraction, seed, sampler, pruner, budget, counted, running,
    paused, closed, program_version, fingerprint, spec, data
FROM hpo.studies
WHERE study = :study
