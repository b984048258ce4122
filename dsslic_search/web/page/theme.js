// Dark, light, or as the system has it.

const KEPT = "dss-theme";
const CHOICES = ["system", "light", "dark"];

function kept() {
  try {
    return localStorage.getItem(KEPT) ?? "system";
  } catch {
    return "system";
  }
}

function apply(choice) {
  if (choice === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = choice;
}

export function startTheme() {
  apply(kept());
}

/** The next choice, and its name. */
export function nextTheme() {
  const choice = CHOICES[(CHOICES.indexOf(kept()) + 1) % CHOICES.length];
  try {
    localStorage.setItem(KEPT, choice);
  } catch {
    // not kept; shown all the same
  }
  apply(choice);
  return choice;
}
