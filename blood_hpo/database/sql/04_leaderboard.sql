-- Complete trials in order, each family by itself. Pruned trials carry a value too, of fewer
-- epochs, and are left out.

CREATE VIEW hpo.leaderboard AS
SELECT
    ranked.study,
    ranked.family,
    rank() OVER (PARTITION BY ranked.study, ranked.family ORDER BY ranked.score DESC) AS rank,
    ranked.number,
    ranked.score,
    spread.sd,
    spread.sd / sqrt(spread.folds) AS standard_error,
    spread.folds,
    ranked.parameter_count,
    ranked.epochs_trained,
    ranked.seconds,
    ranked.params - 'model' AS params,
    ranked.config,
    ranked.config_hash
FROM (SELECT * FROM hpo.trials WHERE state = 'COMPLETE' AND score IS NOT NULL) AS ranked
LEFT JOIN LATERAL (
    SELECT stddev_samp(fold.score::double precision) AS sd, count(*) AS folds
    FROM jsonb_array_elements_text(ranked.fold_scores) AS fold (score)
) AS spread ON true;

COMMENT ON VIEW hpo.leaderboard IS 'Complete trials of each family, best first, with their spread over the folds.';
COMMENT ON COLUMN hpo.leaderboard.study IS 'Name of the study.';
COMMENT ON COLUMN hpo.leaderboard.family IS 'Model family.';
COMMENT ON COLUMN hpo.leaderboard.rank IS 'Place in the family, from 1; equal scores share a place.';
COMMENT ON COLUMN hpo.leaderboard.number IS 'Number of the trial.';
COMMENT ON COLUMN hpo.leaderboard.score IS 'Mean of the objective over the held-out folds.';
COMMENT ON COLUMN hpo.leaderboard.sd IS 'Sample standard deviation of the objective over the folds.';
COMMENT ON COLUMN hpo.leaderboard.standard_error IS 'Standard error of the mean over the folds: sd divided by the root of folds. Folds share training images, so take it as a lower bound.';
COMMENT ON COLUMN hpo.leaderboard.folds IS 'Folds scored.';
COMMENT ON COLUMN hpo.leaderboard.parameter_count IS 'Trainable parameters of the network.';
COMMENT ON COLUMN hpo.leaderboard.epochs_trained IS 'Epochs trained, summed over the folds.';
COMMENT ON COLUMN hpo.leaderboard.seconds IS 'Wall time of the trial in seconds.';
COMMENT ON COLUMN hpo.leaderboard.params IS 'What was searched, decoded.';
COMMENT ON COLUMN hpo.leaderboard.config IS 'The whole configuration.';
COMMENT ON COLUMN hpo.leaderboard.config_hash IS 'Identity of family and configuration.';
