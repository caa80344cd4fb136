/** The caller's key: entered once for all tabs, kept in this tab of the browser, sent to this gateway only. */

import type { GraphiQLPlugin } from "@graphiql/react";
import { useGraphiQLActions } from "@graphiql/react";
import { type FormEvent, useState } from "react";

import { KeyIcon } from "./icons";
import { recall, remember } from "./stored";

/** Give the header that names the caller; none without a key. */
export function keyHeader(): Record<string, string> {
  const key = recall("key");
  return key ? { authorization: `Bearer ${key}` } : {};
}

function KeyForm() {
  const { introspect } = useGraphiQLActions();
  const [key, setKey] = useState(recall("key"));
  const [said, setSaid] = useState("");

  function use(event: FormEvent): void {
    event.preventDefault();
    remember("key", key.trim());
    setSaid(key.trim() ? "This key is sent with every operation." : "No key is sent.");
    void introspect(); // what one may see can differ by caller
  }

  return (
    <section className="panel" aria-labelledby="key-title">
      <h2 id="key-title">Caller's key</h2>
      <p>
        Sent as <code>Authorization: Bearer …</code> from every tab. A header of a tab's own editor comes before it.
      </p>
      <form onSubmit={use}>
        <label htmlFor="caller-key">Key</label>
        <input id="caller-key" type="password" autoComplete="off" spellCheck={false} value={key} onChange={(event) => setKey(event.target.value)} />
        <button type="submit">Use it</button>
      </form>
      <p role="status">{said}</p>
      <p className="quiet">Kept until this tab of the browser is closed; leave it empty to send none.</p>
    </section>
  );
}

export const KEY_PLUGIN: GraphiQLPlugin = { title: "Caller's key", icon: KeyIcon, content: KeyForm };
