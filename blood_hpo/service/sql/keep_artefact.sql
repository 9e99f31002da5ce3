-- Keep the content of a file under a study; one of the same name is replaced.
insert into hpo.artefacts (study_id, name, sha256, content)
values (:study_id, :name, :sha256, :content)
on conflict (study_id, name) do update
set sha256 = excluded.sha256, content = excluded.content, created_at = now()
