-- new_study: A study of Optuna that maximises one metric, what its dashboard shows, and our record.
WITH made AS (
    INSERT INTO public.studies (study_name) VALUES (:name) RETURNING study_id
), direction AS (
    INSERT INTO public.study_directions (study_id, direction, objective)
    SELECT study_id, 'MAXIMIZE', 0 FROM made
), metric AS (
    INSERT INTO public.study_system_attributes (study_id, key, value_json)
    SELECT study_id, 'study:metric_names', CAST(:metric_json AS text) FROM made
), shown AS (
    INSERT INTO public.study_user_attributes (study_id, key, value_json)
    SELECT study_id, key, value FROM made CROSS JOIN jsonb_each_text(CAST(:shown AS jsonb))
)
INSERT INTO hpo.study (study_id, stage, search_id, spec, fingerprint, data, program_version)
SELECT study_id, :stage, coalesce(:search_id, study_id), CAST(:spec AS jsonb), :fingerprint,
    CAST(:data AS jsonb), :program_version FROM made RETURNING study_id

-- study_record: A study by name; what is null in it has no record, since another program made it.
SELECT studies.study_id, stage, search.study_name AS search, spec, fingerprint, data,
    program_version, clock_timestamp() AS read_at
FROM public.studies LEFT JOIN hpo.study USING (study_id)
LEFT JOIN public.studies AS search ON search.study_id = search_id WHERE studies.study_name = :name

-- described: All that is known of a study.
SELECT *, data_label AS label, data_sha256 AS sha256 FROM hpo.studies WHERE study = :study

-- stages_of: A search and the stages that follow it, with the number of their trials.
SELECT study AS name, trials
FROM hpo.studies WHERE search = :name ORDER BY stage = 'search' DESC, stage

-- write_spec: Replace a study file by one that differs in budgets and final stage alone.
UPDATE hpo.study SET spec = CAST(:spec AS jsonb), finished_at = NULL WHERE study_id = :study_id

-- unfinished: The searches that may need work which a worker with this program and data can do.
SELECT study_id, study_name AS name FROM hpo.study JOIN public.studies USING (study_id)
WHERE stage = 'search' AND finished_at IS NULL AND paused IS NULL
    AND program_version = :program_version AND data ->> 'sha256' = :sha256
ORDER BY created_at, study_id

-- finished: The searches of which nothing is left to do, and since when, in seconds since 1970.
SELECT study_name AS name, extract(epoch FROM finished_at)::float AS seconds
FROM hpo.study JOIN public.studies USING (study_id)
WHERE finished_at IS NOT NULL AND study_name = spec ->> 'name' ORDER BY finished_at

-- finish: Note that nothing is left to do, unless a file or a stage has been changed meanwhile.
UPDATE hpo.study SET finished_at = clock_timestamp()
WHERE study_id = :study_id AND finished_at IS NULL AND spec = CAST(:spec AS jsonb) AND NOT EXISTS (
    SELECT FROM hpo.study AS own WHERE own.search_id = :study_id AND own.resumed_at > :read_at
)

-- reopen: Have workers look again at the search that a study is, or is a stage of.
UPDATE hpo.study SET finished_at = NULL
WHERE study_id = (SELECT search_id FROM hpo.study WHERE study_id = :study_id)

-- close_ranks: Move configurations to the first places of a family's budget.
UPDATE hpo.configuration SET place = rank FROM (
    SELECT configuration_id AS key, row_number() OVER (ORDER BY place) AS rank
    FROM hpo.configuration WHERE study_id = :study_id AND family = :family AND place IS NOT NULL
) AS ranked WHERE configuration_id = key AND place <> rank

-- write_budget: Give a family a budget, and open it again if that was closed.
INSERT INTO hpo.budget (study_id, family, budget) VALUES (:study_id, :family, :budget)
ON CONFLICT (study_id, family) DO UPDATE SET budget = excluded.budget, closed = false
WHERE budget.budget <> excluded.budget OR budget.closed

-- close_families: Note that the rest of some families' budgets is not going to be spent.
UPDATE hpo.budget SET closed = true
WHERE study_id = :study_id AND family = ANY(:families) AND NOT closed

-- pause: Let running trials finish and start no more; another reason stays, or is overruled.
UPDATE hpo.study SET paused = :reason WHERE study_id = :study_id AND (paused IS NULL OR :overrule)

-- resume: Let workers claim again, and what was given up in a stage be planned again.
WITH opened AS (
    UPDATE hpo.budget SET closed = false WHERE study_id = :study_id AND closed
), forgiven AS (
    UPDATE hpo.configuration SET given_up_at = NULL
    WHERE study_id = :study_id AND stage <> 'search' AND given_up_at IS NOT NULL
)
UPDATE hpo.study SET paused = NULL, resumed_at = clock_timestamp() WHERE study_id = :study_id

-- paused: Why some studies are paused; null if they are not.
SELECT study_name AS name, paused AS reason FROM hpo.study JOIN public.studies USING (study_id)
WHERE study_name = ANY(:names) ORDER BY study_id

-- note_turn: Whether it is time to look after a study's note, of which, and when that was noted.
UPDATE hpo.study SET noted_at = clock_timestamp()
FROM public.studies WHERE studies.study_id = study.study_id AND study.study_id = :study_id
    AND coalesce(noted_at, '-infinity') <= clock_timestamp() - make_interval(secs => :least_seconds)
RETURNING noted_at, study_name AS study

-- write_note: Write a study's note, if it differs and nobody has looked after it meanwhile, as
-- optuna-dashboard reads it: one piece of several, and a number that grows with every change.
WITH changed AS (
    INSERT INTO public.study_system_attributes (study_id, key, value_json)
    SELECT study_id, 'dashboard:note_str:0', :text_json
    FROM hpo.study WHERE study_id = :study_id AND noted_at = :noted_at
    ON CONFLICT (study_id, key) DO UPDATE SET value_json = excluded.value_json
    WHERE study_system_attributes.value_json <> excluded.value_json RETURNING study_id
), emptied AS (
    UPDATE public.study_system_attributes AS piece SET value_json = '""'
    FROM changed WHERE piece.study_id = changed.study_id AND key LIKE 'dashboard:note\_str:%'
        AND key <> 'dashboard:note_str:0'
)
INSERT INTO public.study_system_attributes (study_id, key, value_json)
SELECT study_id, 'dashboard:note_ver', '1' FROM changed ON CONFLICT (study_id, key) DO UPDATE
SET value_json = (study_system_attributes.value_json::integer + 1)::text
