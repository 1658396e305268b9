//! The classes of Unicode by name, as far as ASCII goes: the names of topics have nothing else.

use super::class::Class;

type Ranges = &'static [(char, char)];

const NONE: Ranges = &[];
const CONTROL: Ranges = &[('\0', '\x1F'), ('\x7F', '\x7F')];
const LETTER: Ranges = &[('A', 'Z'), ('a', 'z')];
const DIGIT: Ranges = &[('0', '9')];
const SPACE: Ranges = &[(' ', ' ')];
const PUNCTUATION: Ranges = &[
    ('!', '#'),
    ('%', '*'),
    (',', '/'),
    (':', ';'),
    ('?', '@'),
    ('[', ']'),
    ('_', '_'),
    ('{', '{'),
    ('}', '}'),
];
const OTHER_PUNCTUATION: Ranges =
    &[('!', '#'), ('%', '\''), ('*', '*'), (',', ','), ('.', '/'), (':', ';'), ('?', '@'), ('\\', '\\')];
const SYMBOL: Ranges = &[('$', '$'), ('+', '+'), ('<', '>'), ('^', '^'), ('`', '`'), ('|', '|'), ('~', '~')];
const COMMON: Ranges = &[('\0', '@'), ('[', '`'), ('{', '\x7F')];

/// The general categories.
const CATEGORIES: &[(&str, Ranges)] = &[
    ("C", CONTROL),
    ("Cc", CONTROL),
    ("Cf", NONE),
    ("Co", NONE),
    ("Cs", NONE),
    ("L", LETTER),
    ("Ll", &[('a', 'z')]),
    ("Lm", NONE),
    ("Lo", NONE),
    ("Lt", NONE),
    ("Lu", &[('A', 'Z')]),
    ("M", NONE),
    ("Mc", NONE),
    ("Me", NONE),
    ("Mn", NONE),
    ("N", DIGIT),
    ("Nd", DIGIT),
    ("Nl", NONE),
    ("No", NONE),
    ("P", PUNCTUATION),
    ("Pc", &[('_', '_')]),
    ("Pd", &[('-', '-')]),
    ("Pe", &[(')', ')'), (']', ']'), ('}', '}')]),
    ("Pf", NONE),
    ("Pi", NONE),
    ("Po", OTHER_PUNCTUATION),
    ("Ps", &[('(', '('), ('[', '['), ('{', '{')]),
    ("S", SYMBOL),
    ("Sc", &[('$', '$')]),
    ("Sk", &[('^', '^'), ('`', '`')]),
    ("Sm", &[('+', '+'), ('<', '>'), ('|', '|'), ('~', '~')]),
    ("So", NONE),
    ("Z", SPACE),
    ("Zl", NONE),
    ("Zp", NONE),
    ("Zs", SPACE),
    ("Common", COMMON),
    ("Latin", LETTER),
];

/// The scripts that ASCII has nothing of.
const OTHER_SCRIPTS: &str = "Arabic Armenian Avestan Balinese Bamum Batak Bengali Bopomofo Brahmi Braille Buginese \
    Buhid Canadian_Aboriginal Carian Chakma Cham Cherokee Coptic Cuneiform Cypriot Cyrillic Deseret Devanagari \
    Egyptian_Hieroglyphs Ethiopic Georgian Glagolitic Gothic Greek Gujarati Gurmukhi Han Hangul Hanunoo Hebrew \
    Hiragana Imperial_Aramaic Inherited Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi Kannada \
    Katakana Kayah_Li Kharoshthi Khmer Lao Lepcha Limbu Linear_B Lisu Lycian Lydian Malayalam Mandaic Meetei_Mayek \
    Meroitic_Cursive Meroitic_Hieroglyphs Miao Mongolian Myanmar New_Tai_Lue Nko Ogham Ol_Chiki Old_Italic \
    Old_Persian Old_South_Arabian Old_Turkic Oriya Osmanya Phags_Pa Phoenician Rejang Runic Samaritan Saurashtra \
    Sharada Shavian Sinhala Sora_Sompeng Sundanese Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le Tai_Tham Tai_Viet \
    Takri Tamil Telugu Thaana Thai Tibetan Tifinagh Ugaritic Vai Yi";

/// The class of this name, which may begin with `^`; none if there is no such class.
pub(super) fn class(name: &str, is_folded: bool) -> Option<Class> {
    if name == "Any" {
        return Some(Class::any());
    }
    let known = CATEGORIES.iter().find(|(known, _)| *known == name).map(|(_, ranges)| *ranges);
    let other = || OTHER_SCRIPTS.split_whitespace().any(|known| known == name).then_some(NONE);
    let mut class = Class::default();
    class.add_all(&Class::from(known.or_else(other)?), is_folded);
    class.finish();
    Some(class)
}
