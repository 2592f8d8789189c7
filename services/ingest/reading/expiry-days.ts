/** The day that a dated contract is named by, such as `20261225`, and when it ends. */
type ExpiryDay = { readonly day: string; readonly timeUs: number };

/** Contracts named by a day end at 08:00 UTC, at every venue that does not say another time. */
const EXPIRY_HOUR = 8;

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/** The day in `261225`; undefined for any other text, and for days that do not exist. */
export function expiryDayOfDigits(yymmdd: string): ExpiryDay | undefined {
  const [, year, month, date] = /^(\d{2})(\d{2})(\d{2})$/.exec(yymmdd) ?? [];
  return expiryDay(Number(year), Number(month) - 1, Number(date));
}

/** The day in `25DEC26` or `6AUG21`; undefined as above. */
export function expiryDayOfWords(text: string): ExpiryDay | undefined {
  const [, date, monthName = "", year] = /^(\d{1,2})([A-Z]{3})(\d{2})$/.exec(text) ?? [];
  return expiryDay(Number(year), MONTHS.indexOf(monthName), Number(date));
}

/** `month` counts from 0. */
function expiryDay(year: number, month: number, date: number): ExpiryDay | undefined {
  const time = new Date(Date.UTC(2000 + year, month, date, EXPIRY_HOUR));
  if (time.getUTCMonth() !== month || time.getUTCDate() !== date) return undefined;
  const day = time.toISOString().slice(0, 10).replaceAll("-", "");
  return { day, timeUs: time.getTime() * 1000 };
}
