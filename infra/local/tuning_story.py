"""The story that the demo tells: one training file and one fine-tuned model of Brightwater's, from upload to deletion.

    prepare(world)              what the accounts hold before: nothing is told of it, but it is listed
    story = train(world)        Marcus uploads a file of closed claims and starts to train a model with it: done in 41 minutes
    deploy(world, story)        the model is deployed
    withdraw_file(world, story) a customer asks for erasure: the file is deleted, the model that learned from it is not
    delete_model(world, story)  days later the model goes too, with its deployment

Each is called at its point of the demo's made-up time, and happens then. All of it is in `bw-underwriting-scus`, whose calls are logged to a
workspace; the collector reaches it, and `bw-claims-sdc`, through the private network. `bw-lab-chn` takes keys alone: its files cannot be listed.
"""

from dataclasses import dataclass
from datetime import timedelta

from infra.local.authorship import Caller
from infra.local.data_shapes import tuned_model_id
from infra.local.scenarios import ANNIKA, MARCUS, PIPELINE, PRIYA
from infra.local.world import World

ACCOUNT = "bw-underwriting-scus"
DEPLOYMENT = "claims-risk"


@dataclass(frozen=True, slots=True)
class Story:
    """What the story is about: ids as the data plane gives them."""

    account: str
    training: str
    validation: str
    job: str
    model: str


def prepare(world: World) -> None:
    """Who reaches what, and what the accounts hold already."""
    underwriting, claims, assist = world.account(ACCOUNT), world.account("bw-claims-sdc"), world.account("bw-assist-frc")
    policy = world.account("bw-policy-eus2")
    for account in (underwriting, claims):
        world.data.reach(account)
    world.data.refuse(world.account("bw-lab-chn"), keys_only=True)
    with world.at(world.now() - timedelta(days=3, hours=5, seconds=11)):
        world.actor = PIPELINE
        policies = world.data.upload_file(policy, "policies-2026.jsonl", purpose="batch", size=48_210)
        batch = world.data.start_batch(policy, policies, metadata={"run": "nightly"})
        world.data.finish_batch(policy, batch, expires_after=timedelta(days=14))
        world.actor = ANNIKA
        manual = world.data.upload_file(assist, "handbook.pdf", purpose="assistants", size=912_004)
        store = world.data.create_store(assist, "customer desk", files=(manual,), metadata={"team": "desk"})
        world.data.create_assistant(assist, "Customer desk", store=store)
        world.data.upload_file(claims, "letters.jsonl", purpose="batch", size=10_244)
        world.data.upload_file(underwriting, "rates.jsonl", purpose="batch", size=3_300)


def train(world: World) -> Story:
    """Marcus uploads training data and starts a job, which makes a model of it by itself, 41 minutes later."""
    account = world.account(ACCOUNT)
    world.actor = MARCUS
    training = world.data.upload_file(account, "claims-closed-2025.jsonl", size=2_481_920)
    validation = world.data.upload_file(account, "claims-check-2025.jsonl", size=212_480)
    job = world.data.start_job(account, training, validation=validation, suffix="risk", metadata={"ticket": "UW-1182"}, minutes=41)
    return Story(account, training, validation, job, tuned_model_id("gpt-4o-mini-2024-07-18", job, "risk"))


def deploy(world: World, story: Story) -> None:
    """Marcus deploys the model. Raises KeyError while it is trained."""
    world.pass_time()
    world.data.body(story.account, "finetunedmodels", story.model)
    world.actor = MARCUS
    world.put_deployment(story.account, DEPLOYMENT, model=story.model, version="1", sku="Standard", capacity=20)


def withdraw_file(world: World, story: Story, *, keyed: bool = False) -> None:
    """Priya deletes the training data and keeps the model. `keyed`: with a key, so that no log knows that it was her."""
    world.actor = PRIYA
    world.data.delete_file(story.account, story.training, caller=Caller(PRIYA, keyed))


def delete_model(world: World, story: Story) -> None:
    """Annika deletes the deployment and then the job, and with it the model; what is left of the story is its validation file."""
    world.actor = ANNIKA
    world.delete_deployment(story.account, DEPLOYMENT)
    world.data.delete_job(story.account, story.job)

