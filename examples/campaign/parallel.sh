#!/bin/sh
# SPDX-License-Identifier: MIT
# A campaign on this machine: seeds FIRST..LAST in parts, JOBS at a time, by GNU parallel.
#
#	examples/campaign/parallel.sh FIRST LAST [PARTS] [JOBS]
#
# Leaves campaign/N.json for each part and campaign/*.scenario for each world that failed. A part
# that is there already is not run again, so a campaign that was stopped can be gone on with.
set -eu
first=$1 last=$2 parts=${3:-16} jobs=${4:-2}
parley=${PARLEY:-parley}

mkdir -p campaign
part() {
	cat <<END
test -s campaign/$1.json && exit 0
'$parley' sim --seeds $first..$last --shard $1/$parts --failures 0 --save campaign --json \
	>campaign/$1.part
status=\$?
test \$status -le 1 && mv campaign/$1.part campaign/$1.json
exit \$status
END
}
i=0
while [ "$i" -lt "$parts" ]; do
	part "$i" >"campaign/$i.sh"
	i=$((i + 1))
done
# A part with a world that failed is no reason to stop the others.
seq 0 $((parts - 1)) | parallel --jobs "$jobs" sh campaign/{}.sh || true
rm -f campaign/*.sh
cat campaign/*.json | "$parley" sim --merge -
