// Builds everything that the browser loads into theme/static, with a manifest. `--out DIR` builds elsewhere,
// `--watch` rebuilds when a source changes (python manage.py tailwind start).

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, watch, writeFileSync, copyFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import esbuild from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const argument = process.argv.indexOf("--out");
const OUT = resolve(argument > 0 ? process.argv[argument + 1] : join(HERE, "..", "static"));
const BUDGET_BYTES = 150 * 1000; // gzipped JS and CSS before the chart library

const PICTURES = ["desk-dark.webp", "desk-light.webp", "desk-phone-dark.webp", "desk-phone-light.webp"];
const VENDOR = [
  { file: "htmx.min.js", from: "htmx.org/dist/htmx.min.js", package: "htmx.org" },
  {
    file: "lightweight-charts.js",
    from: "lightweight-charts/dist/lightweight-charts.standalone.production.js",
    package: "lightweight-charts",
    notice: "TradingView Lightweight Charts(tm), Copyright (c) 2025 TradingView, Inc. https://www.tradingview.com/",
  },
  { file: "inter-latin.woff2", from: "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2", package: "@fontsource-variable/inter" },
  { file: "inter-latin-ext.woff2", from: "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2", package: "@fontsource-variable/inter" },
];

const LICENCE_TEXTS = ["htmx.org", "lightweight-charts", "@fontsource-variable/inter", "tailwindcss", "daisyui"];

function copyLicences() {
  mkdirSync(join(OUT, "vendor/licences"), { recursive: true });
  return LICENCE_TEXTS.map((name) => {
    const file = `vendor/licences/${name.replace(/^@/, "").replace("/", "-")}.txt`;
    const folder = join(HERE, "node_modules", name);
    const text = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    copyFileSync(join(folder, text), join(OUT, file));
    return { file, ...packageFacts(name) };
  });
}

function packageFacts(name) {
  const facts = JSON.parse(readFileSync(join(HERE, "node_modules", name, "package.json"), "utf8"));
  return { package: name, version: facts.version, licence: facts.license };
}

function build() {
  mkdirSync(join(OUT, "theme"), { recursive: true });
  mkdirSync(join(OUT, "vendor"), { recursive: true });
  const entries = [];
  for (const { file, from, notice, ...rest } of VENDOR) {
    copyFileSync(join(HERE, "node_modules", from), join(OUT, "vendor", file));
    entries.push({ file: `vendor/${file}`, ...packageFacts(rest.package), ...(notice ? { notice } : {}) });
  }
  for (const file of ["icons.svg", "favicon.svg", ...PICTURES]) {
    copyFileSync(join(HERE, "src/img", file), join(OUT, "theme", file));
    entries.push({ file: `theme/${file}`, ...own() });
  }
  buildStyles();
  entries.push({ file: "theme/app.css", ...own(), made_with: ["tailwindcss", "daisyui"].map((name) => packageFacts(name)) });
  for (const entry of ["app.js", "board.js", "charts.js"]) {
    if (!existsSync(join(HERE, "src/js", entry))) continue;
    esbuild.buildSync({
      entryPoints: [join(HERE, "src/js", entry)],
      outfile: join(OUT, "theme", entry),
      bundle: true,
      minify: true,
      format: "iife",
      target: ["es2022"],
      charset: "utf8",
      logLevel: "warning",
    });
    entries.push({ file: `theme/${entry}`, ...own() });
  }
  writeManifest([...entries, ...copyLicences()]);
}

function own() {
  const facts = JSON.parse(readFileSync(join(HERE, "package.json"), "utf8"));
  return { package: facts.name, version: facts.version, licence: facts.license };
}

function buildStyles() {
  const css = join(OUT, "theme", "app.css");
  execFileSync(process.execPath, [
    join(HERE, "node_modules/@tailwindcss/cli/dist/index.mjs"),
    "--input", join(HERE, "src/styles.css"), "--output", css, "--minify",
  ], { cwd: HERE, stdio: ["ignore", "ignore", "pipe"] });
}

function writeManifest(entries) {
  let gzipped = 0;
  const files = entries.map((entry) => {
    const bytes = readFileSync(join(OUT, entry.file));
    if (/\.(js|css)$/.test(entry.file) && entry.package !== "lightweight-charts") gzipped += gzipSync(bytes).length;
    return { ...entry, bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
  });
  if (gzipped > BUDGET_BYTES) throw new Error(`JS and CSS are ${gzipped} bytes gzipped, allowed are ${BUDGET_BYTES}`);
  writeFileSync(join(OUT, "manifest.json"), `${JSON.stringify({ files }, null, 2)}\n`);
  console.log(`built ${files.length} files, ${(gzipped / 1000).toFixed(1)} kB gzipped JS and CSS before the chart library`);
}

build();
if (process.argv.includes("--watch")) {
  let timer;
  const again = () => {
    clearTimeout(timer);
    timer = setTimeout(build, 150);
  };
  for (const folder of [join(HERE, "src"), join(HERE, "../../templates")]) watch(folder, { recursive: true }, again);
  console.log(`watching ${relative(process.cwd(), HERE) || "."}/src and templates`);
}
