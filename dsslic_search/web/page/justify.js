// Photos in rows that all are as wide as the page, their sides' ratios kept.

/**
 * Where some photos lie: `ratios` are width / height of each, `wanted` the height that a row should have.
 * Rows are broken where their heights come nearest to it (least sum of squared differences in log height),
 * not where a row happens to be full. `isLast`: the last row need not be full, when it would be too high.
 *
 * Returns `{boxes: [{x, y, width, height}], height, rows: [first index of each row]}`; each box has `gap`
 * around it.
 */
export function justify(ratios, width, wanted, gap, isLast) {
  const n = ratios.length;
  const cost = new Float64Array(n + 1).fill(Infinity);
  const from = new Int32Array(n + 1);
  cost[0] = 0;
  for (let start = 0; start < n; start++) {
    let sum = 0;
    for (let end = start + 1; end <= n; end++) {
      sum += ratios[end - 1];
      const height = (width - gap * (end - start - 1)) / sum;
      if (height < wanted / 3 && end > start + 1) break;
      const isRagged = isLast && end === n && height > wanted;
      const off = isRagged ? 0 : Math.log(height / wanted);
      const total = cost[start] + off * off;
      if (total < cost[end]) {
        cost[end] = total;
        from[end] = start;
      }
    }
  }
  const rows = [];
  for (let end = n; end > 0; end = from[end]) rows.unshift(from[end]);
  return placed(ratios, rows, width, wanted, gap, isLast);
}

function placed(ratios, rows, width, wanted, gap, isLast) {
  const boxes = [];
  let y = 0;
  rows.forEach((start, row) => {
    const end = rows[row + 1] ?? ratios.length;
    const sum = ratios.slice(start, end).reduce((a, b) => a + b, 0);
    const full = (width - gap * (end - start - 1)) / sum;
    const isRagged = isLast && end === ratios.length && full > wanted;
    const height = Math.max(Math.round(isRagged ? wanted : full), 1);
    let x = 0;
    for (let i = start; i < end; i++) {
      const right = i === end - 1 && !isRagged ? width : x + Math.round(ratios[i] * height);
      boxes.push({ x, y, width: Math.max(Math.min(right, width) - x, 1), height });
      x = right + gap;
    }
    y += height + gap;
  });
  return { boxes, height: y, rows };
}

/** The ratio that a photo is laid out by: panoramas and towers are cut rather than made tiny. */
export function shownRatio({ width, height }) {
  return width && height ? Math.min(Math.max(width / height, 0.5), 2.6) : 1;
}
