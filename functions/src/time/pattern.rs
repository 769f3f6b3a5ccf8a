//! Joda's patterns for dates and times, as `yyyy-MM-dd'T'HH:mm:ss.SSSZ`.
//!
//! | letter | is | letter | is |
//! |---|---|---|---|
//! | `G` | era | `a` | half of day |
//! | `C` | century of era | `K` `h` | hour of half day, from 0, from 1 |
//! | `Y` `y` | year of era, year | `H` `k` | hour of day, from 0, from 1 |
//! | `x` `w` | week year, week | `m` `s` `S` | minute, second, fraction of it |
//! | `e` `E` | day of week as number, as text | `z` | name of the zone |
//! | `D` `M` `d` | day of year, month, day of month | `Z` `ZZ` `ZZZ` | `+0100`, `+01:00`, zone's id |

mod parse;
mod print;

/// A pattern, ready to print and parse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    items: Vec<Item>,
}

/// One part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Literal(String),
    /// A number with at least so many digits, read with at most so many.
    Number {
        part: Part,
        digits_min: usize,
        digits_max: usize,
    },
    /// The last two digits of a year.
    ShortYear(Part),
    /// Digits of a second's fraction.
    Fraction(usize),
    Era,
    /// `AM` or `PM`.
    HalfDay,
    /// A month's name, in full or not.
    MonthName {
        full: bool,
    },
    /// A weekday's name.
    DayName {
        full: bool,
    },
    ZoneName,
    ZoneId,
    Offset {
        colon: bool,
    },
}

/// A part of a time that is written as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Century,
    YearOfEra,
    Year,
    WeekYear,
    Week,
    DayOfWeek,
    DayOfYear,
    Month,
    Day,
    HourOfHalfDay,
    ClockHourOfHalfDay,
    Hour,
    ClockHour,
    Minute,
    Second,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Longest pattern: above any that is written by hand.
const PATTERN_LENGTH_MAX: usize = 256;
/// Most digits of a year: more than a LONG of milliseconds can name.
const YEAR_DIGITS_MAX: usize = 9;
/// Most letters of one kind in a row.
const RUN_LENGTH_MAX: usize = 32;

impl Pattern {
    /// Reads a pattern.
    pub(crate) fn compile(text: &str) -> Result<Pattern, String> {
        if text.is_empty() || text.len() > PATTERN_LENGTH_MAX {
            return Err(format!("a date pattern has 1 to {PATTERN_LENGTH_MAX} letters"));
        }
        let tokens = tokens(text)?;
        let mut items = Vec::with_capacity(tokens.len());
        for (position, token) in tokens.iter().enumerate() {
            let before_number = tokens.get(position + 1).is_some_and(Token::is_number);
            items.push(match token {
                Token::Literal(literal) => Item::Literal(literal.clone()),
                Token::Letters(letter, count) => item(*letter, *count, before_number).ok_or_else(|| {
                    format!("`{letter}` in the pattern '{text}' is no letter of a date; text stands in single quotes")
                })?,
            });
        }
        Ok(Pattern { items })
    }
}

enum Token {
    Literal(String),
    Letters(char, usize),
}

impl Token {
    fn is_number(&self) -> bool {
        match self {
            Token::Literal(_) => false,
            Token::Letters('M', count) => *count <= 2,
            Token::Letters(letter, _) => "CxyYdhHmsSweDFkK".contains(*letter),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter.is_ascii_alphabetic() {
            let mut count = 1;
            while letters.next_if_eq(&letter).is_some() {
                count += 1;
            }
            if count > RUN_LENGTH_MAX {
                return Err(format!("`{letter}` stands {count} times in a row in a date pattern"));
            }
            tokens.push(Token::Letters(letter, count));
            continue;
        }
        let mut literal = String::new();
        if letter != '\'' {
            literal.push(letter);
        } else if letters.next_if_eq(&'\'').is_some() {
            literal.push('\'');
        } else {
            // A quote that is not closed takes the rest, as in Joda.
            while let Some(quoted) = letters.next() {
                if quoted == '\'' && letters.next_if_eq(&'\'').is_none() {
                    break;
                }
                literal.push(quoted);
            }
        }
        match tokens.last_mut() {
            Some(Token::Literal(last)) => last.push_str(&literal),
            _ => tokens.push(Token::Literal(literal)),
        }
    }
    Ok(tokens)
}

fn item(letter: char, count: usize, before_number: bool) -> Option<Item> {
    let number = |part, digits_max: usize| Item::Number { part, digits_min: count, digits_max };
    let year = |part| match count {
        2 => Item::ShortYear(part),
        _ => number(part, if before_number { count } else { YEAR_DIGITS_MAX }),
    };
    Some(match letter {
        'G' => Item::Era,
        'C' => number(Part::Century, count.max(9)),
        'Y' => year(Part::YearOfEra),
        'y' => year(Part::Year),
        'x' => year(Part::WeekYear),
        'w' => number(Part::Week, 2),
        'e' => number(Part::DayOfWeek, 1),
        'E' => Item::DayName { full: count >= 4 },
        'D' => number(Part::DayOfYear, 3),
        'M' if count >= 3 => Item::MonthName { full: count >= 4 },
        'M' => number(Part::Month, 2),
        'd' => number(Part::Day, 2),
        'a' => Item::HalfDay,
        'K' => number(Part::HourOfHalfDay, 2),
        'h' => number(Part::ClockHourOfHalfDay, 2),
        'H' => number(Part::Hour, 2),
        'k' => number(Part::ClockHour, 2),
        'm' => number(Part::Minute, 2),
        's' => number(Part::Second, 2),
        'S' => Item::Fraction(count),
        'z' => Item::ZoneName,
        'Z' if count >= 3 => Item::ZoneId,
        'Z' => Item::Offset { colon: count == 2 },
        _ => return None,
    })
}
