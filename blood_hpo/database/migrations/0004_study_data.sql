-- The data set of a study is one.
--
-- Any worker may write it too, and every view and command reads label, checksum and mark from it.
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
