/** Whether a panel has room beside the editors; on less it takes their place (`explorer.css` has the same number). */
export function isWide(): boolean {
  return matchMedia("(min-width: 761px)").matches;
}
