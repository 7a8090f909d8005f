from .engine import (
    Engine as Engine,
    EngineAtHop as EngineAtHop,
    TfliteEngine as TfliteEngine,
    at_hop as at_hop,
    load_engine as load_engine,
    predict as predict,
    predict_with_embeddings as predict_with_embeddings,
)
from .file import (
    StreamingGraphs as StreamingGraphs,
    TfliteFile as TfliteFile,
    embed_contract as embed_contract,
    read_flatbuffer as read_flatbuffer,
    read_tflite as read_tflite,
    streaming_inside as streaming_inside,
    without_archive as without_archive,
)
