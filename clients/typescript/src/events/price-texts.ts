import { formatDecimal, type Mantissa } from "@tickwire/proto/model";

/** Places for texts; a power of two. */
const PLACES = 256;

// One price is traded at many times, and its text takes longer to make than to find. A place is
// taken over by whichever price comes to it, so that there is never more than this to keep.
const mantissas = /* @__PURE__ */ new Float64Array(PLACES);
const scales = /* @__PURE__ */ new Int16Array(PLACES).fill(-1);
const texts: string[] = [];

/** As `formatDecimal`, for values that come again and again. */
export function priceText(mantissa: Mantissa, scale: number): string {
  if (typeof mantissa !== "number") return formatDecimal(mantissa, scale);
  const place = mantissa & (PLACES - 1);
  if (mantissas[place] === mantissa && scales[place] === scale) return texts[place]!;
  const text = formatDecimal(mantissa, scale);
  mantissas[place] = mantissa;
  scales[place] = scale;
  texts[place] = text;
  return text;
}
