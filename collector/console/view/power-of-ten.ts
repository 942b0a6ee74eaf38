/** "10⁹" for 9: how improbable a deviation is, in a form that is read at a glance. */
export function powerOfTen(exponent: number): string {
  const digits = Array.from(
    String(Math.max(0, Math.floor(exponent))),
    (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)],
  );
  return `10${digits.join("")}`;
}
