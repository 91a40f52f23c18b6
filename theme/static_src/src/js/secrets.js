// Show/hide for masked fields while typing. Without JavaScript the field stays masked.

export function addSecretToggles(root = document) {
  for (const box of root.querySelectorAll("[data-secret]")) {
    const input = box.querySelector("input");
    if (!input || box.querySelector(".secret-toggle")) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "secret-toggle";
    const label = box.dataset.secret || "value";
    const show = (isShown) => {
      input.type = isShown ? "text" : "password";
      button.textContent = isShown ? "Hide" : "Show";
      button.setAttribute("aria-label", `${isShown ? "Hide" : "Show"} ${label}`);
      button.setAttribute("aria-pressed", String(isShown));
    };
    button.addEventListener("click", () => show(input.type === "password"));
    input.form?.addEventListener("submit", () => show(false));
    show(false);
    box.append(button);
  }
}
