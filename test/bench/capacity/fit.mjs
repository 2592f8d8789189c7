// The costs that say best what was measured, in a model that is a sum of them.

/** Microseconds of a gateway's CPU in a second of a point. */
export function modelUs(point, { frameUs, deliveryUs, messageUs, handOnUs, natsReadUs }) {
  const { frames, deliveries, messages, workers = 1, overNats = false } = point;
  const ofMessage =
    messageUs + (workers === 1 ? 0 : workers * handOnUs) + (overNats ? natsReadUs : 0);
  return frames * frameUs + deliveries * deliveryUs + messages * ofMessage;
}

/**
 * The frame from points of little else; message and delivery from the fitted points, of which each
 * counts by how far it is missed as a part of itself; what handing on to workers takes more, and
 * what reading NATS takes more than the bus of the process, each beside the same load without it.
 */
export function fit(points) {
  const of = (kind) => points.filter((point) => point.kind === kind);
  const known = of("frame").map((point) => point.gatewayUs / point.frames);
  const frameUs = known.reduce((sum, us) => sum + us, 0) / known.length;
  const [messageUs, deliveryUs] = leastSquares(
    of("fitted").map(({ gatewayUs, frames, messages, deliveries }) => ({
      parts: [messages / gatewayUs, deliveries / gatewayUs],
      whole: 1 - (frames * frameUs) / gatewayUs,
    })),
  );
  const ofMessage = ({ gatewayUs, frames, messages }) => (gatewayUs - frames * frameUs) / messages;
  const moreThan = (plain, [point]) => {
    const beside = points.find(({ server, pace }) => server === plain && pace === point?.pace);
    return point?.messages === undefined ? undefined : ofMessage(point) - ofMessage(beside);
  };
  const handOnUs = moreThan("pair", of("two workers")) / 2;
  const natsReadUs = moreThan("many", of("over NATS"));
  return { frameUs, messageUs, deliveryUs, handOnUs, ...(natsReadUs && { natsReadUs }) };
}

/** Two factors, not below 0, whose sum of parts is nearest to the wholes. */
function leastSquares(equations) {
  const sum = (of) => equations.reduce((total, equation) => total + of(equation), 0);
  const aa = sum(({ parts: [a] }) => a * a);
  const ab = sum(({ parts: [a, b] }) => a * b);
  const bb = sum(({ parts: [, b] }) => b * b);
  const aw = sum(({ parts: [a], whole }) => a * whole);
  const bw = sum(({ parts: [, b], whole }) => b * whole);
  const determinant = aa * bb - ab * ab;
  const first = (aw * bb - bw * ab) / determinant;
  const second = (bw * aa - aw * ab) / determinant;
  if (first < 0) return [0, bw / bb];
  if (second < 0) return [aw / aa, 0];
  return [first, second];
}
