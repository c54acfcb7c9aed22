// Numbers as they are written: whole, with so many decimals, or scientific; an exact zero is "0".

const SMALL = 0.01; // below it, and where few digits would be left, numbers are scientific
const minus = (text) => text.replaceAll("-", "−");

function scientific(value, digits) {
  const [mantissa, exponent] = value.toExponential(digits).split("e");
  return minus(`${mantissa}e${exponent.replace("+", "")}`);
}

function special(value) {
  if (value === 0) return "0";
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "∞" : "−∞";
}

const isPlain = (value) => value !== 0 && Number.isFinite(value);
const fits = (value, decimals) => Math.abs(value - Number(value.toFixed(decimals))) <= 1e-12;

/** How the numbers of an array are written, all alike. */
export function writerOf(values, precision) {
  let largest = 0;
  for (const value of values) if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
  if (largest >= 1e6 || (largest > 0 && largest < Math.min(SMALL, 10 ** (1 - precision)))) {
    return (value) => (isPlain(value) ? scientific(value, Math.max(precision - 2, 1)) : special(value));
  }
  let decimals = 0;
  while (decimals < precision && !values.every((value) => !isPlain(value) || fits(value, decimals))) decimals += 1;
  return (value) => (isPlain(value) ? minus(value.toFixed(decimals).replace(/^-0$/, "0")) : special(value));
}

/** One number by itself. */
export const writeNumber = (value, precision) => writerOf([value], precision)(value);

/** Every digit of a number. */
export const writeExactly = (value) => (Number.isFinite(value) ? minus(String(value)) : special(value));

/** Whether what is written is the number itself, and not a rounded one. */
export const isExact = (value, text) => !Number.isFinite(value) || Number(text.replaceAll("−", "-")) === value;

/** A change, always with its sign. */
export function writeChange(value, precision) {
  const text = writeNumber(value, precision);
  return value > 0 ? `+${text}` : text;
}
