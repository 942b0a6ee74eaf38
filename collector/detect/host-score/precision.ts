/**
 * Precision matrices: every row is the regression of one metric on all others.
 *
 * P = (C + ridge I)^-1, C a covariance. [P a]_j / P_jj is what the others do not explain of a_j (Pourahmadi 2011, "Covariance
 * estimation: the GLM and regularization perspectives", section 2): all residuals for one product, and no rank to choose.
 * Matrices are symmetric and packed: row by row, each up to its diagonal. Inverting costs d^3 / 2 multiplications, a product d^2.
 */

/** Room for one inversion; nothing in it outlives the call. */
let factor = new Float64Array(0);
let inverse = new Float64Array(0);

export function packedLength(size: number): number {
  return (size * (size + 1)) / 2;
}

/**
 * Writes (C + ridge I)^-1 to `into`, by Cholesky. `ridge` > 0 keeps metrics that never move, or move as one, harmless. Metrics that
 * are not `joined` are taken as having nothing to do with the others.
 */
export function invert(
  covariance: Float32Array,
  size: number,
  ridge: number,
  joined: (metric: number) => boolean,
  into: Float32Array,
): void {
  if (factor.length < packedLength(size)) {
    factor = new Float64Array(packedLength(size));
    inverse = new Float64Array(packedLength(size));
  }
  // A covariance learned with gaps need not be positive; the ridge alone is never below this.
  const pivotMin = ridge / 10;
  for (let i = 0, row = 0; i < size; row += ++i) {
    const own = joined(i);
    for (let j = 0, other = 0; j <= i; other += ++j) {
      let sum = own && joined(j) ? covariance[row + j]! : 0;
      if (i === j) sum += ridge;
      for (let q = 0; q < j; q += 1) sum -= factor[row + q]! * factor[other + q]!;
      factor[row + j] = i === j ? Math.sqrt(Math.max(sum, pivotMin)) : sum / factor[other + j]!;
    }
  }
  for (let column = 0; column < size; column += 1) {
    for (let i = column, row = packedLength(column); i < size; row += ++i) {
      let sum = i === column ? 1 : 0;
      for (let q = column, at = packedLength(column) + column; q < i; at += ++q)
        sum -= factor[row + q]! * inverse[at]!;
      inverse[row + column] = sum / factor[row + i]!;
    }
  }
  for (let i = 0, row = 0; i < size; row += ++i) {
    for (let j = 0; j <= i; j += 1) {
      let sum = 0;
      for (let q = i, at = row; q < size; at += ++q) sum += inverse[at + i]! * inverse[at + j]!;
      into[row + j] = sum;
    }
  }
}

/** Writes `matrix` times `vector` to `into`: one pass over the packed half. */
export function multiply(matrix: Float32Array, size: number, vector: Float64Array, into: Float64Array): void {
  for (let i = 0, at = 0; i < size; i += 1) {
    const own = vector[i]!;
    let sum = 0;
    for (let j = 0; j < i; j += 1, at += 1) {
      const entry = matrix[at]!;
      sum += entry * vector[j]!;
      into[j]! += entry * own;
    }
    into[i] = sum + matrix[at]! * own;
    at += 1;
  }
}

export function diagonal(matrix: Float32Array, metric: number): number {
  return matrix[packedLength(metric) + metric]!;
}
