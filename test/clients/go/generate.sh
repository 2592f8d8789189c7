#!/bin/sh
# Generates the Go code of the schema into gen/, with protoc and protoc-gen-go found on the PATH.
# PROTOC may name another command, such as "python3 -m grpc_tools.protoc".
set -e
cd "$(dirname "$0")"
proto=../../../proto
files=$(cd $proto && find tickwire -name '*.proto' | sort)
mapping=""
for file in $files; do
  mapping="$mapping --go_opt=M$file=tickwire.example/reader/gen/$(dirname "$file")"
done
mkdir -p gen
# shellcheck disable=SC2086 -- the lists are words
${PROTOC:-protoc} -I$proto --go_out=. --go_opt=module=tickwire.example/reader $mapping $files
