import { formatDecimal, rescaleMantissa } from "@tickwire/proto/model";
import type { Instrument } from "../rpc/instrument.ts";
import { exactDecimal } from "./exact-decimal.ts";

/**
 * A price as the instrument writes it: rounded to the nearest multiple of its price increment,
 * halves away from zero, with as many decimals as the increment has. Takes the exact text or a
 * number; where the increment is unknown nothing is rounded. Undefined for what is no number.
 */
export function formatPrice(
  price: string | number,
  { priceIncrementText }: Pick<Instrument, "priceIncrementText">,
): string | undefined {
  return formatToIncrement(price, priceIncrementText);
}

/** The same for a size and the instrument's size increment. */
export function formatSize(
  size: string | number,
  { sizeIncrementText }: Pick<Instrument, "sizeIncrementText">,
): string | undefined {
  return formatToIncrement(size, sizeIncrementText);
}

function formatToIncrement(
  value: string | number,
  increment: string | undefined,
): string | undefined {
  const number = exactDecimal(String(value));
  if (number === undefined) return undefined;
  const step = increment === undefined ? undefined : exactDecimal(increment);
  if (step === undefined || step.mantissa === 0) {
    return formatDecimal(number.mantissa, number.scale);
  }
  const decimals = step.scale;
  const scale = Math.max(decimals, number.scale);
  const stepMantissa = BigInt(rescaleMantissa(step.mantissa, decimals, scale));
  const mantissa = BigInt(rescaleMantissa(number.mantissa, number.scale, scale));
  const magnitude = mantissa < 0n ? -mantissa : mantissa;
  const steps = (magnitude + stepMantissa / 2n) / stepMantissa;
  const digits = String((steps * stepMantissa) / 10n ** BigInt(scale - decimals));
  const padded = digits.padStart(decimals + 1, "0");
  const whole = padded.slice(0, padded.length - decimals);
  const sign = mantissa < 0n && steps > 0n ? "-" : "";
  return decimals === 0 ? `${sign}${whole}` : `${sign}${whole}.${padded.slice(-decimals)}`;
}
