-- What a column of one name means in every view that does not say otherwise.

DO $$
DECLARE
    undescribed record;
BEGIN
    FOR undescribed IN
        SELECT relname, attname, meaning
        FROM (VALUES
            ('study', 'Name of the study.'),
            ('number', 'Number of the trial in its study, from 0.'),
            ('final_study', 'Name of the study that retrained and tested it.'),
            ('final_number', 'Number of the retraining''s trial in that study, from 0.'),
            ('source_number', 'Number of the search''s trial that found the configuration; null if it was not searched.'),
            ('family', 'Model family: mlp, cnn or resnet.'),
            ('recipe', 'Of a retraining, where the configuration is from: winner of the search, report or recommended.'),
            ('seed_number', 'Number of the seed, from 1.'),
            ('in_force', 'Whether the configuration holds a place of the budget; of a stage, whether the plan in force asks for it.'),
            ('state', 'State of the trial.'),
            ('score', 'Mean of the objective over the held-out folds.'),
            ('epoch', 'Epoch, from 1; of a trial the last one that was reported.'),
            ('fold', 'Fold, from 1; a retraining has one.'),
            ('best_epoch', 'Epoch whose weights early stopping restored, from 1.'),
            ('epochs', 'Epochs trained, summed over the folds.'),
            ('seconds', 'Wall time of this attempt in seconds.'),
            ('parameter_count', 'Trainable parameters of the network.'),
            ('params', 'What was searched, decoded.'),
            ('config', 'The whole configuration: searched, fixed and default hyperparameters.'),
            ('config_hash', 'Identity of family and configuration, 16 hexadecimal digits.'),
            ('kernel_size', 'CNN: height and width of the kernels in pixels.'),
            ('filters', 'CNN: number of filters.'),
            ('attempt', 'Place among the attempts at the configuration, from 1.'),
            ('worker', 'Worker that holds or held the trial: host, process and start.'),
            ('reason', 'Why the trial was pruned or failed.'),
            ('started_at', 'When training began.'),
            ('finished_at', 'When the trial ended.'),
            ('true_class', 'What the cells are.'),
            ('predicted_class', 'What the model takes them for.'),
            ('test_images', 'Images of the test split.'),
            ('trials', 'Complete trials with it.'),
            ('mean', 'Mean score of these trials, 0 to 1.'),
            ('sd', 'Sample standard deviation of these scores; null for one trial.'),
            ('standard_error', 'Standard error of the mean: sd divided by the root of trials.'),
            ('best', 'Best score among these trials.')
        ) AS words (attname, meaning)
        JOIN pg_attribute USING (attname)
        JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace = 'hpo'::regnamespace AND relkind = 'v'
            AND col_description(attrelid, attnum) IS NULL
    LOOP
        EXECUTE format(
            'COMMENT ON COLUMN hpo.%I.%I IS %L',
            undescribed.relname, undescribed.attname, undescribed.meaning
        );
    END LOOP;
END
$$;
