//! Which decoder a stream asks for, by the Java class that Pinot would load.

use meunier_segment::json_reader::Findings;

use super::StreamMap;

/// How records become rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoder {
    /// One JSON object a record.
    Json,
    /// Another format, which is not built here yet: the class as written.
    Unsupported(String),
}

/// Names, without their package, of Pinot's decoders for plain JSON.
const JSON_CLASSES: [&str; 2] = ["JSONMessageDecoder", "KafkaJSONMessageDecoder"];

pub(super) fn read(map: &StreamMap<'_>, findings: &mut Findings) -> Option<Decoder> {
    const EXAMPLE: &str = "\"org.apache.pinot.plugin.inputformat.json.JSONMessageDecoder\"";
    let class = super::required(map, "stream.kafka.decoder.class.name", EXAMPLE, findings)?;
    let name = class.rsplit('.').next().unwrap_or_default();
    Some(if JSON_CLASSES.contains(&name) { Decoder::Json } else { Decoder::Unsupported(class) })
}
