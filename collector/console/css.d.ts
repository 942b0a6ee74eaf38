/** Style sheets are imported for what they do; the bundler gathers them into one file. */
declare module "*.css";
