#!/bin/sh
# Builds the Mattermost server that the tests run into .cache/mattermost at the
# module root: the binary, and the i18n and templates folders that it reads.
# Does nothing when what is there was built from the same server/go.sum.
#
# Cold, it downloads about 300 MB and takes about two and a half minutes on two
# cores.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$root/.cache/mattermost
stamp=$(cat "$here/server/go.mod" "$here/server/go.sum" | sha256sum | cut -d ' ' -f 1)

if [ "$(cat "$out/stamp" 2>/dev/null || true)" = "$stamp" ]; then
	echo "mattermost: $out is up to date"
	exit 0
fi

# -mod=mod completes go.mod, so the build happens in a copy.
mkdir -p "$out"
rm -f "$out/stamp"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/server/go.mod" "$here/server/go.sum" "$work/"
cd "$work"

server=github.com/mattermost/mattermost/server/v8
echo "mattermost: building the server (some minutes the first time)"
GOWORK=off GOFLAGS='' go build -mod=mod -trimpath -ldflags '-s -w' \
	-o "$out/mattermost.new" "$server/cmd/mattermost"
source=$(GOWORK=off GOFLAGS='' go list -mod=mod -m -f '{{.Dir}}' "$server")

echo "mattermost: copying i18n and templates"
for folder in i18n templates; do
	rm -rf "${out:?}/$folder"
	cp -R "$source/$folder" "$out/$folder"
	# The module cache is read-only, and so would the copy be.
	chmod -R u+w "$out/$folder"
done
mv "$out/mattermost.new" "$out/mattermost"
echo "$stamp" >"$out/stamp"
echo "mattermost: $out is ready"
