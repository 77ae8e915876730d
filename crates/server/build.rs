//! The release binary embeds the built console. Its file names change with their content, so cargo must look at the
//! folder, not only at the files that were there last time.
fn main() {
    println!("cargo:rerun-if-changed=../../dist");
}
