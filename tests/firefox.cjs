// Loaded into Playwright's own process: it asks every browser to emulate media as soon as a context is made, and a Firefox
// that does not know the command yet would get no further.
const { _extensions: kinds } = require("node:module");

const load = kinds[".js"];
kinds[".js"] = (module, filename) => {
  if (!filename.endsWith("coreBundle.js")) return load(module, filename);
  const compile = module._compile;
  module._compile = (code, ...rest) => {
    const patched = code.replaceAll(/send\("emulation\.setMediaFeaturesOverride", \{[^;]*\}\)/g, "$&.catch(() => {})");
    return compile.call(module, patched, ...rest);
  };
  return load(module, filename);
};
