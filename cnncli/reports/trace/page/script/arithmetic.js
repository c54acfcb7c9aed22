// Numbers in formulas, with as many decimals as it takes that a calculator gets the result as it is written.

import { writeNumber } from "./numbers.js";

const MOST_DECIMALS = 17; // tell any two numbers apart

export const add = (...numbers) => numbers.reduce((sum, number) => sum + number, 0);
export const multiply = (...numbers) => numbers.reduce((product, number) => product * number, 1);

const read = (text) => Number(text.replaceAll("−", "-"));

/** How many decimals the values need, at least `precision`; null where no number of them does it. */
export function findDecimals(values, compute, result, precision) {
  if (![...values, result].every(Number.isFinite)) return precision; // ∞ is written alike with any
  const target = writeNumber(result, precision);
  const [digits, exponent] = target.split("e");
  const decimals = exponent ? digits.split(".")[1].length - read(exponent) : precision;
  for (let most = precision; most <= Math.max(precision, MOST_DECIMALS); most++) {
    const value = compute(...values.map((each) => read(writeNumber(each, most))));
    if (Math.abs(value - read(target)) < 0.4999 * 10 ** -decimals) return most;
  }
  return null;
}

/** Those of a term; where it is in words, as many as are asked for. */
export function decimalsOf(term, values, precision) {
  return term.compute ? findDecimals(values, term.compute, term.value, precision) : precision;
}
