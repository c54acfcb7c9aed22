// The chain rule for one entry, path by path: every way from L back to it; the strongest first, and where others end.

import { linksOf } from "./chain.js";
import { factorOf } from "./tensors.js";

/** A function of (tensor, i) that is worked out once for each entry. */
function remember(find) {
  const known = new Map();
  return (tensor, i) => {
    if (!known.has(tensor)) known.set(tensor, new Map());
    const ofTensor = known.get(tensor);
    if (!ofTensor.has(i)) ofTensor.set(i, find(tensor, i));
    return ofTensor.get(i);
  };
}

/** Follows the entries of one pass. */
export function followerOf(chain, v) {
  const links = remember((tensor, i) => [...linksOf(chain, v, tensor, i)]);
  const isEnd = (tensor) => tensor === chain.output.loss;
  const carried = (tensor, i) => links(tensor, i).filter((link) => link.derivative !== 0);
  /** How many paths on which no link is 0. */
  const number = remember((tensor, i) =>
    isEnd(tensor) ? 1 : carried(tensor, i).reduce((sum, link) => sum + number(link.tensor, link.i), 0),
  );
  /** The largest |product| of links from here to L. */
  const reach = remember((tensor, i) =>
    isEnd(tensor) ? 1 : carried(tensor, i).reduce((best, link) => Math.max(best, Math.abs(link.derivative) * reach(link.tensor, link.i)), 0),
  );

  /** Up to `most` paths, the strongest first: [{links: [{tensor, i, derivative, read}], product}], that of L first. */
  function strongest(tensor, i, most) {
    const open = [{ strength: reach(tensor, i), here: { tensor, i }, product: 1, links: [] }];
    const found = [];
    while (open.length && found.length < most) {
      const best = open.reduce((top, each, at) => (each.strength > open[top].strength ? at : top), 0);
      const [{ here, product, links: so }] = open.splice(best, 1);
      if (isEnd(here.tensor)) {
        found.push({ product, links: so });
        continue;
      }
      for (const link of carried(here.tensor, here.i)) {
        const after = product * link.derivative;
        const strength = Math.abs(after) * reach(link.tensor, link.i);
        if (strength > 0) open.push({ strength, here: link, product: after, links: [{ ...link, read: here }, ...so] });
      }
    }
    return found;
  }

  /** The first entries at which the ways to L end because a link is 0: [{tensor, i, reason, ways}]. */
  function blocks(tensor, i) {
    const ends = new Map();
    const seen = new Set();
    const open = [[tensor, i]];
    while (open.length) {
      const [here, at] = open.pop();
      const { label } = factorOf(here, at);
      if (seen.has(label) || isEnd(here)) continue;
      seen.add(label);
      const step = chain.readers.get(here);
      const all = links(here, at);
      for (const link of all) {
        if (link.derivative !== 0) open.push([link.tensor, link.i]);
        else if (step?.does.blocked) ends.set(label, { tensor: here, i: at, reason: step.does.blocked(step, v, here, at) });
        else ends.set(`${label} ${link.i}`, { tensor: here, i: at, reason: `met ${link.factor?.label ?? link.reason}, which is 0` });
      }
      if (!all.length && step) ends.set(label, { tensor: here, i: at, reason: step.does.blocked?.(step, v, here, at) ?? `nothing reads ${label}` });
    }
    return [...ends.values()];
  }

  return { number, strongest, blocks };
}
