// The protobufjs classes of the schema. Importing them changes nothing outside this package.
export { google, tickwire } from "../gen/wire.js";
