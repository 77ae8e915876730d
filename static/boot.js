// Runs before the first paint. It finds where on its host the console stands, asks for the console's files there, and
// sets theme and outline, so that neither changes under the eye. The build writes it into index.html; no file's address
// stands there in words, because the browser would ask for it before the place is known.
(() => {
  const files = FILES;
  const root = document.documentElement;
  try {
    const theme = localStorage.getItem("keygate.theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  } catch {
    // Storage is closed to this page: the system's theme holds.
  }

  // Doubled slashes would make `//name/` of a path, which is another host.
  const path = location.pathname.replace(/\/{2,}/g, "/").replace(/\/(index|404)\.html$/, "/");

  // Removes the token of a sign-in link from the address and the history before anything is loaded. The program takes
  // it from memory, see `boot.rs`; it never appears in the page.
  let token;
  const fields = location.search.slice(1).split("&");
  const others = fields.filter((field) => !field.startsWith("token="));
  if (/\/sign-in\/?$/.test(path) && others.length < fields.length) {
    token = fields.find((field) => field.startsWith("token=")).slice("token=".length);
  }
  const query = token === undefined ? location.search : others.length > 0 ? `?${others.join("&")}` : "";
  if (path + query !== location.pathname + location.search) history.replaceState(null, "", path + query + location.hash);

  // The paths of the console, as in `routes.rs`. Its place is the shortest beginning of the address after which the
  // rest is one of them.
  const pages = /^(|sign-in|[^/]+\/(workspaces(\/[^/]+)?|endpoints|w\/[^/]+\/(requests\/)?[^/]+))\/?$/;
  const places = [...path.matchAll(/\//g)].map((slash) => path.slice(0, slash.index + 1));
  const guess = places.find((place) => pages.test(path.slice(place.length)));
  const rest = path.slice(guess?.length ?? 1);
  const outlined = /^(?:[^/]+\/(?:w\/[^/]+\/)?(api-keys|models|monitoring|analytics|requests|endpoints)(?:\/[^/]+)?|(sign-in))\/?$/.exec(rest);
  root.dataset.boot = outlined?.[1] ?? outlined?.[2] ?? "workspaces";

  const parsed = new Promise((done) => {
    if (document.readyState !== "loading") done();
    else addEventListener("DOMContentLoaded", done);
  });
  // The program did not arrive, or it stopped. It says so itself by the event, see `main.rs`.
  const fail = async () => {
    root.hidden = false;
    await parsed;
    const dialog = document.getElementById("failure");
    if (!dialog.open) dialog.showModal();
  };
  addEventListener("keygate:failure", fail);

  const at = (place, file) => location.origin + place + file;
  const link = (rel, href) =>
    new Promise((onload, onerror) => {
      document.head.append(Object.assign(document.createElement("link"), { rel, href, onload, onerror }));
    });

  /** Asks for everything at once, then starts the program. It fails if the console does not stand there. */
  const start = async (place) => {
    const style = link("stylesheet", at(place, files.css));
    const parts = Promise.all([import(at(place, files.js)), fetch(at(place, files.wasm))]);
    const config = fetch(at(place, "config.json"), { cache: "no-cache" });
    // Whoever waits for them below hears of it.
    for (const promise of [parts, config]) promise.catch(() => {});
    await style;
    root.hidden = false;
    window.keygate = { base: place.slice(0, -1), config, token };
    run(parts);
  };
  const run = async (parts) => {
    try {
      const [program, wasm] = await parts;
      await parsed;
      await program.default({ module_or_path: wasm });
    } catch (error) {
      console.error(error);
      fail();
    }
  };

  /** Where the stylesheet is: for an address that is none of the console's, or that only looks like one. */
  const search = async () => {
    if (!path.endsWith("/")) places.push(`${path}/`);
    for (const place of places.filter((place) => place !== guess)) {
      const answer = await fetch(at(place, files.css), { method: "HEAD" });
      if (answer.ok && answer.headers.get("content-type")?.startsWith("text/css")) return start(place);
    }
    throw new Error("The console's files are not where this page is.");
  };

  // Nothing is painted without the stylesheet.
  root.hidden = true;
  (guess ? start(guess).catch(search) : search()).catch(fail);
})();
