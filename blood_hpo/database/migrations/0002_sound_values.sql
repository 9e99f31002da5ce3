-- The data set of a study is one, and what a trial measured is finite.
--
-- Any worker may write them, and every view, command and report reads them.
ALTER TABLE hpo.study ADD CONSTRAINT study_data_is_a_data_set CHECK (coalesce(
    data ->> 'label' !~ '[[:cntrl:]]'
    AND jsonb_typeof(data -> 'label') = 'string'
    AND data ->> 'sha256' ~ '^[0-9a-f]{64}$'
    AND data ->> 'md5' ~ '^[0-9a-f]{32}$'
    AND data ->> 'origin' ~ '^[a-z]{1,20}$'
    AND jsonb_typeof(data -> 'official') = 'boolean'
    AND jsonb_typeof(data -> 'synthetic') = 'boolean',
    false
));

-- NaN is above infinity here.
ALTER TABLE hpo.result ADD CONSTRAINT result_is_finite CHECK (
    seconds >= 0 AND seconds < 'infinity' AND epoch >= 0 AND epochs >= 0 AND parameter_count >= 0
);
ALTER TABLE hpo.fold ADD CONSTRAINT fold_is_finite CHECK (score > '-infinity' AND score < 'infinity');
