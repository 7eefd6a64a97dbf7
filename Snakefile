"""matlabel: tagged photographs -> activations -> trimaps -> mattes -> pseudo-labels -> a trained segmenter."""

from snakemake.utils import min_version

min_version("9.27")


# A config file on the command line would be merged over this one: the demo's settings would leak into other runs.
if not workflow.config_settings.configfiles:

    configfile: f"{workflow.basedir}/config.yaml"


include: "workflow/driver.smk"
include: "workflow/rules/common.smk"


wildcard_constraints:
    key="[0-9a-f]{8}",
    shard="[0-9]{5}",


rule all:
    default_target: True
    input:
        driver.all,


for stage in STAGES:

    rule:
        name:
            f"all_{stage}"
        input:
            driver.all_of(stage),


include: "workflow/rules/dataset.smk"
include: "workflow/rules/cam.smk"
include: "workflow/rules/activations.smk"
include: "workflow/rules/trimaps.smk"
include: "workflow/rules/mattes.smk"
include: "workflow/rules/labels.smk"
include: "workflow/rules/segmenter.smk"
include: "workflow/rules/predictions.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/ablation.smk"
include: "workflow/rules/fetch.smk"
