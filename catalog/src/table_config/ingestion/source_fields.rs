//! `sourceFieldConfigs`: fields that get a type before anything else reads them.

use meunier_segment::json_reader::{Findings, JsonObject};
use meunier_segment::nearest::did_you_mean;
use meunier_segment::schema::DataType;

/// A field that gets a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceField {
    /// Its name in the record.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// Whether it becomes a list.
    pub is_list: bool,
    /// Whether that comes before objects and lists are taken apart.
    pub before_complex_types: bool,
}

/// Names of Pinot's types. Those without a type of ours leave a field as it is.
const TYPES: [(&str, Option<DataType>); 19] = [
    ("BOOLEAN", Some(DataType::Boolean)),
    ("BYTE", Some(DataType::Int)),
    ("SHORT", Some(DataType::Int)),
    ("INT", Some(DataType::Int)),
    ("LONG", Some(DataType::Long)),
    ("FLOAT", Some(DataType::Float)),
    ("DOUBLE", Some(DataType::Double)),
    ("BIG_DECIMAL", Some(DataType::BigDecimal)),
    ("TIMESTAMP", Some(DataType::Timestamp)),
    ("DATE", Some(DataType::Timestamp)),
    ("TIME", Some(DataType::Timestamp)),
    ("CHARACTER", Some(DataType::String)),
    ("STRING", Some(DataType::String)),
    ("UUID", Some(DataType::String)),
    ("JSON", Some(DataType::Json)),
    ("BYTES", Some(DataType::Bytes)),
    ("OBJECT", None),
    ("MAP", None),
    ("COLLECTION", None),
];

pub(super) fn read(config: &JsonObject<'_>, findings: &mut Findings) -> Vec<SourceField> {
    let mut fields: Vec<SourceField> = Vec::new();
    for entry in config.objects("sourceFieldConfigs", findings) {
        let name = entry.required_text("name", "the field's name", findings);
        let data_type = entry.required_text("dataType", "a type such as \"LONG\"", findings);
        let before_complex_types = entry.boolean("preComplexTypeTransform", findings).unwrap_or(false);
        let (Some(name), Some(written)) = (name, data_type) else { continue };
        let is_twice = fields
            .iter()
            .any(|known| known.name == name && known.before_complex_types == before_complex_types);
        if is_twice {
            findings.problem(entry.place("name"), format!("`{name}` gets a type twice: remove one"));
        }
        let upper = written.to_ascii_uppercase();
        let element = upper.strip_suffix("_ARRAY").unwrap_or(&upper);
        let element = element.strip_prefix("PRIMITIVE_").unwrap_or(element);
        match TYPES.iter().find(|(known, _)| *known == element) {
            Some((_, Some(data_type))) => fields.push(SourceField {
                name,
                data_type: *data_type,
                is_list: upper.ends_with("_ARRAY"),
                before_complex_types,
            }),
            Some((_, None)) => {}
            None => {
                let names = TYPES.map(|(name, _)| name);
                let hint = did_you_mean(element, names);
                let message =
                    format!("`{written}` is no type: write for example LONG, STRING or LONG_ARRAY{hint}");
                findings.problem(entry.place("dataType"), message);
            }
        }
    }
    fields
}
