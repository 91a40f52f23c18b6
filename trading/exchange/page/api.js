// Calls of the control port, and the line that says what came of them.

const message = document.getElementById("message");

export async function ask(path) {
  const reply = await fetch(path, { cache: "no-store" });
  const body = await reply.json();
  if (!reply.ok) throw new Error(body.error);
  return body;
}

/** Change something. Gives the answer, or null after telling the person what was wrong. */
export async function order(method, path, body, done) {
  const options = { method, headers: { "Content-Type": "application/json" } };
  if (body !== undefined) options.body = JSON.stringify(body);
  try {
    const reply = await fetch(path, options);
    const answer = await reply.json();
    if (!reply.ok) throw new Error(answer.error);
    say(done || "");
    return answer;
  } catch (error) {
    say(error.message, true);
    return null;
  }
}

export function say(text, isError = false) {
  message.textContent = text;
  message.classList.toggle("is-error", isError);
}

/** Make an element with text and classes; nothing of a text is ever read as markup. */
export function make(tag, text = "", classes = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  if (classes) element.className = classes;
  return element;
}

export function option(value, text) {
  const element = make("option", text);
  element.value = value;
  return element;
}
