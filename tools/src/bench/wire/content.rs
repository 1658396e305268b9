//! What is measured with: bytes that look like somebody's records, the same on every run.

/// Lines of JSON of some 170 bytes, with numbers and words that vary: compresses about as well as logs do.
pub(super) fn json_lines(bytes: usize) -> Vec<u8> {
    const WORDS: [&str; 8] = ["ebb", "flood", "neap", "spring", "slack", "surge", "swell", "wrack"];
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut lines = Vec::new();
    while lines.len() < bytes {
        let (id, user, amount, word) = (next(), next() % 50_000, next() % 1_000_000, next());
        let word = WORDS.iter().cycle().nth(usize::from(word.to_le_bytes()[0])).unwrap_or(&"tide");
        let line = format!(
            "{{\"id\":\"{id:016x}\",\"user\":{user},\"kind\":\"{word}\",\"amount\":{amount},\"station\":\"harbour-{}\",\"height_mm\":{},\"note\":\"measured by the gauge at the quay\"}}\n",
            user % 40,
            amount % 7_000,
        );
        lines.extend_from_slice(line.as_bytes());
    }
    lines.truncate(bytes);
    lines
}
