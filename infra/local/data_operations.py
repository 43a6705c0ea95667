"""The operations of an account's data plane: what resource logs call them, and the data action that each needs.

Names of the dated generation are operationIds of Microsoft's specification (2024-10-21) and, for what came from OpenAI's assistants,
verb and noun as in the real row `Create_Thread`; those of `/openai/v1` are the operationIds of its specification. Only ListKey,
ChatCompletions_Create, Completions_Create, Embeddings_Create and Create_Thread were ever seen in a real log: whoever reads logs must take
any name. For vector stores, containers and conversations no data action is documented; the stand-in names one that follows the pattern.
"""

from typing import NamedTuple


class Operation(NamedTuple):
    """`dated` and `v1`: the name in the resource log, by the generation that was called."""

    dated: str
    v1: str
    action: str
    """After `Microsoft.CognitiveServices/accounts/OpenAI/`."""


OPERATIONS: dict[str, Operation] = {
    "files.list": Operation("Files_List", "listFiles", "files/read"),
    "files.get": Operation("Files_Get", "retrieveFile", "files/read"),
    "files.content": Operation("Files_GetContent", "downloadFile", "files/read"),
    "files.upload": Operation("Files_Upload", "createFile", "files/write"),
    "files.delete": Operation("Files_Delete", "deleteFile", "files/delete"),
    "jobs.list": Operation("FineTuning_List", "listPaginatedFineTuningJobs", "fine-tunes/read"),
    "jobs.get": Operation("FineTuning_Get", "retrieveFineTuningJob", "fine-tunes/read"),
    "jobs.events": Operation("FineTuning_GetEvents", "listFineTuningEvents", "fine-tunes/read"),
    "jobs.checkpoints": Operation("FineTuning_GetCheckpoints", "listFineTuningJobCheckpoints", "fine-tunes/read"),
    "jobs.create": Operation("FineTuning_Create", "createFineTuningJob", "fine-tunes/write"),
    "jobs.cancel": Operation("FineTuning_Cancel", "cancelFineTuningJob", "fine-tunes/write"),
    "jobs.delete": Operation("FineTuning_Delete", "deleteFineTuningJob", "fine-tunes/delete"),
    "models.list": Operation("Models_List", "listModels", "models/read"),
    "models.get": Operation("Models_Get", "retrieveModel", "models/read"),
    "models.delete": Operation("Models_Delete", "deleteModel", "fine-tunes/delete"),
    "batches.list": Operation("Batch_List", "listBatches", "batches/read"),
    "batches.get": Operation("Batch_Get", "retrieveBatch", "batches/read"),
    "batches.create": Operation("Batch_Create", "createBatch", "batch-jobs/write"),
    "batches.cancel": Operation("Batch_Cancel", "cancelBatch", "batches/cancel/action"),
    "stores.list": Operation("List_VectorStores", "listVectorStores", "vector-stores/read"),
    "stores.get": Operation("Get_VectorStore", "getVectorStore", "vector-stores/read"),
    "stores.files": Operation("List_VectorStoreFiles", "listVectorStoreFiles", "vector-stores/read"),
    "stores.create": Operation("Create_VectorStore", "createVectorStore", "vector-stores/write"),
    "stores.add": Operation("Create_VectorStoreFile", "createVectorStoreFile", "vector-stores/write"),
    "stores.remove": Operation("Delete_VectorStoreFile", "deleteVectorStoreFile", "vector-stores/delete"),
    "stores.delete": Operation("Delete_VectorStore", "deleteVectorStore", "vector-stores/delete"),
    "assistants.list": Operation("List_Assistants", "listAssistants", "assistants/read"),
    "assistants.get": Operation("Get_Assistant", "getAssistant", "assistants/read"),
    "assistants.create": Operation("Create_Assistant", "createAssistant", "assistants/write"),
    "assistants.delete": Operation("Delete_Assistant", "deleteAssistant", "assistants/delete"),
    "containers.list": Operation("List_Containers", "listContainers", "containers/read"),
    "containers.get": Operation("Get_Container", "retrieveContainer", "containers/read"),
    "containers.create": Operation("Create_Container", "createContainer", "containers/write"),
    "containers.delete": Operation("Delete_Container", "deleteContainer", "containers/delete"),
    "threads.delete": Operation("Delete_Thread", "deleteThread", "assistants/threads/delete"),
    "responses.delete": Operation("Delete_Response", "deleteResponse", "responses/delete"),
    "completions.delete": Operation("Delete_ChatCompletion", "deleteChatCompletion", "stored-completions/action"),
    "chat": Operation("ChatCompletions_Create", "createChatCompletion", "deployments/chat/completions/action"),
    "content": Operation("Get_Content", "getContent", "stored-completions/read"),
}
"""By the short names that the stand-in's routes and verbs use."""
