-- One trial
-- Everything recorded about a trial but its curves.
SELECT * FROM hpo.trials WHERE study = :study AND number = :number
