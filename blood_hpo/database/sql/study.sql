-- Studies: created with everything that workers need, paused, changed.

-- name: new_study
-- A study for Optuna, which maximises one metric, and what its dashboard shows of it.
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
SELECT study_id FROM made

-- name: new_record
-- What we know of a study beside that.
INSERT INTO hpo.study (study_id, stage, search_id, spec, fingerprint, data, program_version)
VALUES (
    :study_id, :stage, coalesce(:search_id, :study_id), CAST(:spec AS jsonb), :fingerprint,
    CAST(:data AS jsonb), :program_version
)

-- name: study_record
-- A study by name; what is null in it has no record, since another program made it.
SELECT
    studies.study_id, study.stage, search.study_name AS search, study.spec, study.fingerprint,
    study.data, study.program_version, study.paused
FROM public.studies
LEFT JOIN hpo.study USING (study_id)
LEFT JOIN public.studies AS search ON search.study_id = study.search_id
WHERE studies.study_name = :name

-- name: stages_of
-- The studies that hold the stages of a search, with the number of their trials, the search first.
SELECT studies.study_name AS name, study.stage, count(trials.trial_id) AS trials
FROM hpo.study
JOIN public.studies USING (study_id)
JOIN public.studies AS search ON search.study_id = study.search_id
LEFT JOIN public.trials ON trials.study_id = study.study_id
WHERE search.study_name = :name
GROUP BY studies.study_name, study.stage, study.study_id
ORDER BY study.study_id

-- name: write_spec
-- Replace the study file of a study; all but its budgets and its final stage are equal.
UPDATE hpo.study SET spec = CAST(:spec AS jsonb), finished_at = NULL WHERE study_id = :study_id

-- name: unfinished
-- Names of the searches that may need work which a worker with this program and data set can do.
SELECT studies.study_name AS name
FROM hpo.study JOIN public.studies USING (study_id)
WHERE study.stage = 'search' AND study.finished_at IS NULL AND study.paused IS NULL
    AND study.program_version = :program_version AND study.data ->> 'sha256' = :sha256
ORDER BY study.created_at, study.study_id

-- name: finished
-- Names of the searches of which nothing is left to do, and since when, in seconds since 1970.
SELECT studies.study_name AS name, extract(epoch FROM study.finished_at)::float8 AS seconds
FROM hpo.study JOIN public.studies USING (study_id)
WHERE study.finished_at IS NOT NULL
ORDER BY study.finished_at

-- name: finish
-- Note that nothing is left to do, unless the study file has been changed meanwhile.
UPDATE hpo.study SET finished_at = clock_timestamp()
WHERE study_id = :study_id AND finished_at IS NULL AND spec = CAST(:spec AS jsonb)

-- name: reopen
-- Have workers look again at the search that a study is, or is a stage of.
UPDATE hpo.study SET finished_at = NULL
FROM hpo.study AS named
WHERE named.study_id = :study_id AND study.study_id = named.search_id

-- name: held_places
-- How many places of a family's budget are held: by trials that are done, run or wait.
SELECT count(*) FROM hpo.configuration
WHERE study_id = :study_id AND family = :family AND place IS NOT NULL

-- name: close_ranks
-- Move configurations from places beyond a budget to free ones within it.
WITH moved AS (
    SELECT configuration_id, row_number() OVER (ORDER BY place) AS rank
    FROM hpo.configuration
    WHERE study_id = :study_id AND family = :family AND place > :budget
), free AS (
    SELECT place, row_number() OVER (ORDER BY place) AS rank
    FROM generate_series(1, CAST(:budget AS integer)) AS place
    WHERE NOT EXISTS (
        SELECT FROM hpo.configuration AS taken
        WHERE taken.study_id = :study_id AND taken.family = :family AND taken.place = place.place
    )
)
UPDATE hpo.configuration SET place = free.place
FROM moved JOIN free USING (rank)
WHERE configuration.configuration_id = moved.configuration_id

-- name: write_budget
-- Give a family a budget, and open it again if that was closed.
INSERT INTO hpo.budget (study_id, family, budget) VALUES (:study_id, :family, :budget)
ON CONFLICT (study_id, family) DO UPDATE SET budget = excluded.budget, closed = false
WHERE budget.budget <> excluded.budget

-- name: close_families
-- Note that the rest of some families' budgets is not going to be spent.
UPDATE hpo.budget SET closed = true
WHERE study_id = :study_id AND family = ANY(:families) AND NOT closed

-- name: pause
-- Let running trials finish and start no more.
UPDATE hpo.study SET paused = :reason WHERE study_id = :study_id

-- name: resume
-- Let workers claim again: earlier failures are forgiven, and what was given up in a stage may be
-- planned again.
WITH opened AS (
    UPDATE hpo.budget SET closed = false WHERE study_id = :study_id
), forgiven AS (
    UPDATE hpo.configuration SET given_up_at = NULL WHERE study_id = :study_id AND stage <> 'search'
)
UPDATE hpo.study SET paused = NULL, resumed_at = clock_timestamp() WHERE study_id = :study_id

-- name: paused
-- Which of some studies are paused, and why.
SELECT studies.study_name AS name, study.paused AS reason
FROM hpo.study JOIN public.studies USING (study_id)
WHERE studies.study_name = ANY(:names) AND study.paused IS NOT NULL
ORDER BY studies.study_id

-- name: winning_configuration
-- A family's confirmed winner, or while there is none the best complete trial of its search.
SELECT configuration.config
FROM hpo.configuration
JOIN hpo.attempt USING (configuration_id)
JOIN public.trials USING (trial_id)
JOIN public.trial_values AS told ON told.trial_id = trials.trial_id AND told.objective = 0
LEFT JOIN hpo.study AS confirm
    ON confirm.search_id = configuration.study_id AND confirm.stage = 'confirm'
LEFT JOIN hpo.candidate
    ON candidate.study_id = confirm.study_id AND candidate.config_hash = configuration.config_hash
WHERE configuration.study_id = :study_id AND configuration.family = :family
    AND trials.state = 'COMPLETE'
ORDER BY coalesce(candidate.winner, false) DESC, told.value DESC, attempt.number
LIMIT 1
