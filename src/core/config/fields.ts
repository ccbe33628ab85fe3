import * as z from "zod";

/** Image reference as a registry client takes it; whitespace and schemes are common slips. */
export const imageReference = z
  .string()
  .regex(/^[a-zA-Z0-9][^\s]*$/, "expected an image reference such as registry.example/name:tag")
  .refine((text) => !text.includes("://"), "expected an image reference without https://");

export const httpUrl = z
  .url({ protocol: /^https?$/, error: "expected a URL that starts with https:// or http://" })
  .refine(
    (url) => !/\/\/[^/]*@/.test(url),
    "expected a URL without user and password; give those as a secret",
  );

export const httpPath = z.string().regex(/^\/\S*$/, "expected an HTTP path such as /readyz");

/** A path inside the source: relative, and not out of it. */
export const relativePath = z
  .string()
  .min(1, "expected a path, got an empty string")
  .refine(
    (path) => !path.startsWith("/") && !path.split("/").includes(".."),
    "expected a path inside the project: relative, without ..",
  );

export const paths = z.array(relativePath);

/** Whole seconds, at most a day: a larger number is nearly always milliseconds. */
export const seconds = z
  .int("expected a whole number of seconds")
  .min(1, "expected at least 1 second")
  .max(86_400, "expected at most 86400 seconds (a day)");

export const pythonVersion = z
  .string('expected a string such as "3.12" (quoted: TOML reads 3.10 as 3.1)')
  .regex(/^3\.\d{1,2}(\.\d+)?$/, 'expected a Python version such as "3.12" or "3.12.4"');

/** An ISO day. TOML's own dates arrive as text too (see `toml.ts`). */
export const day = z
  .string("expected a date such as 2027-01-31")
  .regex(/^\d{4}-\d{2}-\d{2}$/, "expected a date such as 2027-01-31")
  .refine((text) => !Number.isNaN(Date.parse(text)), "expected a date that exists");

/** The very text, or a regular expression between slashes. */
export const pattern = (expected: string) =>
  z
    .string()
    .min(1, expected)
    .refine((text) => {
      if (!text.startsWith("/")) return true;
      try {
        return (
          text.length > 2 && text.endsWith("/") && new RegExp(text.slice(1, -1)) instanceof RegExp
        );
      } catch {
        return false;
      }
    }, expected);
