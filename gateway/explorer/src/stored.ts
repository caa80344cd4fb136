/** What the browser keeps: ours for as long as its tab is open. A browser that keeps nothing is no error. */

export function recall(name: string): string {
  try {
    return sessionStorage.getItem(`explorer.${name}`) ?? "";
  } catch {
    return "";
  }
}

export function remember(name: string, value: string): void {
  try {
    if (value) sessionStorage.setItem(`explorer.${name}`, value);
    else sessionStorage.removeItem(`explorer.${name}`);
  } catch {
    // storage is switched off: nothing to recall later
  }
}

/** Say whether GraphiQL kept nothing of an earlier visit. */
export function isFirstVisit(): boolean {
  try {
    return localStorage.getItem("graphiql:tabState") === null;
  } catch {
    return true;
  }
}
