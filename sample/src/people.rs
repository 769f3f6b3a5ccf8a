//! Names of people: given and family names that go together, with the marks and scripts that break careless readers.

use crate::random::Random;

/// Names of one origin, and which of them comes first.
#[derive(Clone, Copy)]
struct Names {
    given: &'static [&'static str],
    family: &'static [&'static str],
    family_first: bool,
}

/// Draws a name, as parts to be joined.
pub(crate) fn draw_name(random: &mut Random) -> [&'static str; 3] {
    let names = random.pick(&NAMES);
    let (given, family) = (random.pick(names.given), random.pick(names.family));
    if names.family_first { [family, " ", given] } else { [given, " ", family] }
}

static NAMES: [Names; 12] = [
    Names {
        given: &["Olivia", "Noah", "Ruth", "Desmond", "Ada 🦀", "Siobhán"],
        family: &["O'Brien", "Smith-Jones", "Okafor", "\"Lucky\" Lee", "Walker", "Mc Gregor"],
        family_first: false,
    },
    Names {
        given: &["Zoë", "Jürgen", "Käthe", "Björn", "Günther"],
        family: &["Müller", "Groß", "Weiß", "von der Höhe", "Schäfer"],
        family_first: false,
    },
    Names {
        given: &["María José", "Íñigo", "Begoña", "João", "Conceição"],
        family: &["Núñez", "Peña Ibáñez", "Gonçalves", "de Magalhães", "Sáenz"],
        family_first: false,
    },
    Names {
        given: &["Łucja", "Źdźbło", "Bořek", "Světlana", "Željko"],
        family: &["Brzęczyszczykiewicz", "Dvořák", "Šimić", "Wójcik", "Ďurica"],
        family_first: false,
    },
    Names {
        given: &["Søren", "Åsa", "Guðrún", "Pål", "Æsa"],
        family: &["Ångström", "Jónsdóttir", "Bjørnsen", "Østergård"],
        family_first: false,
    },
    Names {
        given: &["Олена", "Тарас", "Соломія", "Юрій"],
        family: &["Шевченко", "Ковальчук", "Їжакевич", "Ґалаґан"],
        family_first: false,
    },
    Names {
        given: &["Ελένη", "Γιώργος", "Αθηνά"],
        family: &["Παπαδόπουλος", "Οικονόμου", "Ξένου"],
        family_first: false,
    },
    Names {
        given: &["محمد", "فاطمة", "ليلى", "يوسف"],
        family: &["العلي", "حسن", "المصري"],
        family_first: false,
    },
    Names {
        given: &["अनन्या", "अर्जुन", "प्रिया", "विक्रम"],
        family: &["शर्मा", "पटेल", "सिंह", "अय्यर"],
        family_first: false,
    },
    Names {
        given: &["さくら", "健太", "美咲", "蓮"],
        family: &["田中", "佐藤", "髙橋", "𠮷田"],
        family_first: true,
    },
    Names {
        given: &["지민", "서연", "민준"], family: &["김", "이", "박", "최"], family_first: true
    },
    Names {
        given: &["Thị Hoa", "Đức Anh", "Ngọc Ánh"],
        family: &["Nguyễn", "Trần", "Đặng", "Phạm"],
        family_first: true,
    },
];
