-- All studies with their files
-- What each study was created from: its whole study file, its data set, and by which version.
SELECT study, spec, data, fingerprint, program_version, paused
FROM hpo.studies
ORDER BY study
