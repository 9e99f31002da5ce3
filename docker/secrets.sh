#!/bin/sh
# Makes the passwords of the containers in ./secrets, one file each, for your eyes only, and sees that
# the files are there that .env and the environment name.
# What is there stays. To change the password of worker, dashboard or analyst, remove its file, run
# this again, then `docker compose up --detach --force-recreate`.
set -eu
cd "$(dirname "$0")/.."
umask 077
mkdir -p secrets

# The names of the database, of its roles and of its host are those of docker-compose.yml.
url() { printf 'postgresql://%s:%s@db:5432/blood_hpo\n' "$1" "$2"; }
password() { head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

if [ ! -e secrets/owner_url ]; then
    password=$(password)
    printf '%s\n' "$password" >secrets/owner_password
    url blood_hpo_owner "$password" >secrets/owner_url
fi
for role in worker dashboard analyst; do
    [ -e secrets/${role}_url ] || url blood_hpo_$role "$(password)" >secrets/${role}_url
done

# The containers must be able to read them: root gives the files to the images' own user; everybody
# else lets the containers run under his own number.
user=$(docker/dotenv.sh BLOOD_HPO_USER)
if [ -z "$user" ]; then
    user=$(id -u):$(id -g)
    [ "$(id -u)" != 0 ] || user=10001:10001
    [ -z "$(tail -c 1 .env 2>/dev/null)" ] || echo >>.env # whose last line did not end
    echo "BLOOD_HPO_USER=$user" >>.env
fi
[ "$(id -u)" != 0 ] || chown -R "$user" secrets
echo "secrets: $(ls secrets | tr '\n' ' ')"

for name in DATA_FILE STUDY_FILE; do
    file=$(printenv $name || docker/dotenv.sh $name)
    [ -z "$file" ] || [ -f "$file" ] ||
        { echo "error: $name $file: no such file; correct or unset it" >&2; exit 2; }
done
