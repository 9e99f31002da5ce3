#!/bin/sh
# Deploys the stack to a swarm, and again after any change: of the study, secrets, settings or images.
#
#   docker/swarm.sh [--file OVERLAY]...      STACK [blood-hpo] names the stack
#
# A swarm never changes a config or a secret, and does not notice another image of the same name: so
# the names of the former end in a checksum, and a label of each service is the number of its image.
set -eu
cd "$(dirname "$0")/.."
export STACK="${STACK:-blood-hpo}"
[ -e secrets/owner_url ] || { echo "error: there are no secrets yet; run make secrets" >&2; exit 2; }
[ ! -e .env ] || STUDY_FILE=${STUDY_FILE:-$(docker/dotenv.sh STUDY_FILE)}
STUDY_FILE=${STUDY_FILE:-studies/quickstart.toml}
[ -f "$STUDY_FILE" ] || { echo "error: STUDY_FILE $STUDY_FILE: no such file" >&2; exit 2; }

set -- docker compose --project-name "$STACK" --file docker-compose.yml --file docker/swarm.yml "$@" config

sum() { sha256sum "$1" | cut -c 1-12; }
number() { # SERVICE CONFIG...
    service=$1; shift
    image=$("$@" --images "$service")
    number=$(docker image ls --quiet --no-trunc "$image")
    [ -n "$number" ] ||
        { echo "error: no image $image; run docker compose build, or correct BLOOD_HPO_TAG" >&2; exit 2; }
    echo "$number"
}

export STUDY_FILE STUDY_SUM="$(sum "$STUDY_FILE")"
export OWNER_PASSWORD_SUM="$(sum secrets/owner_password)" OWNER_URL_SUM="$(sum secrets/owner_url)"
export WORKER_URL_SUM="$(sum secrets/worker_url)" ANALYST_URL_SUM="$(sum secrets/analyst_url)"
export DASHBOARD_URL_SUM="$(sum secrets/dashboard_url)" PROXY_SUM="$(sum docker/nginx.conf)"
if [ -e secrets/viewers ]; then # of docker/proxy.yml
    export VIEWERS_SUM="$(sum secrets/viewers)" CERTIFICATE_SUM="$(sum secrets/certificate)"
    export CERTIFICATE_KEY_SUM="$(sum secrets/certificate_key)"
fi
# One by one, because of several the shell heeds the last alone.
WORKER_IMAGE=$(number worker "$@")
DASHBOARD_IMAGE=$(number dashboard "$@")
REPORT_IMAGE=$(number report "$@")
export WORKER_IMAGE DASHBOARD_IMAGE REPORT_IMAGE

# What a stack does not take: the project's name, and a published port as text.
"$@" |
    sed -e '/^name:/d' -e 's/published: "\(.*\)"/published: \1/' |
    docker stack deploy --compose-file - --resolve-image never --detach=true "$STACK"

# Those of earlier deployments; the swarm keeps what a service still uses.
for kind in config secret; do
    docker "$kind" ls --quiet --filter "label=com.docker.stack.namespace=$STACK" |
        while read -r one; do docker "$kind" rm "$one" >/dev/null 2>&1 || :; done
done
