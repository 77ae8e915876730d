// Runs before the first paint, so that neither the theme nor the page's outline changes under the eye.
(() => {
  const root = document.documentElement;
  try {
    const theme = localStorage.getItem("keygate.theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  } catch {
    // Storage is closed to this page: the system's theme holds.
  }

  const path = location.pathname;
  const page = /^\/[^/]+(?:\/w\/[^/]+)?\/(api-keys|models|endpoints)$/.exec(path)?.[1] ?? "workspaces";
  root.dataset.boot = path === "/sign-in" ? "sign-in" : page;

  // The program did not arrive, or it stopped. It says so itself by the event, see `main.rs`.
  const fail = () => {
    const dialog = document.getElementById("failure");
    if (dialog && !dialog.open) dialog.showModal();
  };
  const failBeforeStart = () => document.getElementById("boot") && fail();
  addEventListener("keygate:failure", fail);
  addEventListener("error", failBeforeStart, true);
  addEventListener("unhandledrejection", failBeforeStart);
  if (!("WebAssembly" in window)) addEventListener("DOMContentLoaded", fail);
})();
