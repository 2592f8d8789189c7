// The schema as @bufbuild/protobuf knows it.
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

const PROTO = join(import.meta.dirname, "../../../proto");

export function loadDescriptors() {
  const buf = createRequire(import.meta.url).resolve("@bufbuild/buf/bin/buf");
  const args = [buf, "build", "--as-file-descriptor-set", "--output", "-"];
  const image = execFileSync(process.execPath, args, { cwd: PROTO });
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, image));
}
