-- A stored study file is one.
--
-- Any worker may write hpo.study, and views and report read the study file from it: a seed that is no
-- number, or a family without a space, would break every page of every study.
ALTER TABLE hpo.study ADD CONSTRAINT study_spec_is_a_study_file CHECK (coalesce(
    spec ->> 'seed' ~ '^[0-9]{1,18}$'
    AND spec ->> 'objective' ~ '^[a-z_]{1,40}$'
    AND spec #>> '{training,folds}' ~ '^[0-9]{1,4}$'
    AND spec #>> '{training,epochs}' ~ '^[0-9]{1,6}$'
    AND jsonb_path_exists(spec, '$.data.fraction ? (@ > 0 && @ <= 1)')
    AND jsonb_typeof(spec -> 'families') = 'object'
    AND NOT jsonb_path_exists(spec, 'lax $.families.* ? (!(@.space.type() == "object"))'),
    false
));
