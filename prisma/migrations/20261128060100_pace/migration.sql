-- CreateTable
CREATE TABLE "StepPace" (
    "host" TEXT NOT NULL,
    "template" TEXT NOT NULL,
    "step" TEXT NOT NULL,
    "parallel" INTEGER NOT NULL,
    "seconds" DOUBLE PRECISION NOT NULL,
    "samples" INTEGER NOT NULL,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "StepPace_pkey" PRIMARY KEY ("host","template","step","parallel")
);
