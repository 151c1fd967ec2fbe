//! Lets libFuzzer drive the target `ir_table`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    ropewalk_fuzz::targets::ir_table(input);
});
