#!/bin/sh
# Generates the Go code of the schema into gen/, with protoc and protoc-gen-go found on the PATH.
# PROTOC may name another command, such as "python3 -m grpc_tools.protoc".
set -e
cd "$(dirname "$0")"
proto=../../../proto
files=$(cd $proto && find tickwire/v1 -name '*.proto' | sort)
mkdir -p gen
# shellcheck disable=SC2086 -- the lists are words
${PROTOC:-protoc} -I$proto --go_out=gen --go_opt=paths=source_relative $files
