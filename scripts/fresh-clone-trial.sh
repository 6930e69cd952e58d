#!/usr/bin/env bash
# Clones the project into an empty folder and runs the README's first command there, as a newcomer would:
# with a PATH that holds node, npm and the basic tools of a shell, and nothing of the environment.
# Runs it again, which must find everything cached. Usage: fresh-clone-trial.sh REPOSITORY
set -euo pipefail
repository=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

tools=$work/tools
mkdir "$tools"
for tool in node npm npx sh bash env cat ls cp mv rm mkdir mktemp dirname basename uname sed grep tr head tail sleep id ps; do
  path=$(command -v "$tool" || true)
  if [ -n "$path" ]; then ln -s "$path" "$tools/$tool"; fi
done
git clone -q "$repository" "$work/greetings"
cd "$work/greetings"
mkdir "$work/home"
if [ -f "$HOME/.npmrc" ]; then cp "$HOME/.npmrc" "$work/home/"; fi
run() { env -i HOME="$work/home" PATH="$tools" "$@"; }

run npm ci --no-fund --no-audit
echo '--- first run'
run npx greetings warm names/ru.csv --sandbox --limit 12
echo '--- second run'
second=$(run npx greetings warm names/ru.csv --sandbox --limit 12 --json)
echo "$second"
case "$second" in
  *'"names":12,"cached":12,'*) ;;
  *) echo 'the second run did not find all twelve in the cache' >&2; exit 1 ;;
esac

# The servers end by themselves soon after the last command; what is still there after 20 s is left behind.
# For root the database lives outside the clone, in a folder named by the home's id.
id=$(cat .greetings/id)
leftover() { ps ax -o pid,args | grep -e "$work" -e "$id" | grep -v -e grep -e fresh-clone-trial || true; }
for _ in $(seq 40); do
  if [ -z "$(leftover)" ]; then break; fi
  sleep 0.5
done
if [ -n "$(leftover)" ]; then printf 'left behind:\n%s\n' "$(leftover)" >&2; exit 1; fi
