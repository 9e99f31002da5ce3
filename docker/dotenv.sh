#!/bin/sh
# Prints the value of a variable in .env as compose reads it: without quotes around it, or a comment.
set -eu
cd "$(dirname "$0")/.."
[ ! -e .env ] || sed -n "s/^$1=//p" .env |
    sed -e 's/^"\([^"]*\)".*/\1/' -e "s/^'\([^']*\)'.*/\1/" -e 's/[[:space:]]#.*//' -e 's/[[:space:]]*$//'
